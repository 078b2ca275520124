"""The text of grants: as a user writes them, as SHOW GRANTS shows them, and what one needs beside the other."""
