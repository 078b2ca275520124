"""SQL cells are coloured as SQL: in IPython's terminal, and by `labextensions/` in JupyterLab and Notebook 7."""
