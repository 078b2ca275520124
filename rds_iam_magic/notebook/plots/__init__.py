"""`--plot` and `%rds_plot`: their lines, and how a chart is shown in a cell."""
