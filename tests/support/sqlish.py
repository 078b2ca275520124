"""Texts that are made up of what SQL is made of."""

from hypothesis import strategies as st

SQLISH = st.text(alphabet=st.sampled_from("ab1 '\"`;\\-#/*!@:.=,\n(é"), max_size=60)
