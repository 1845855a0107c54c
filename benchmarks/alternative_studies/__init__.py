"""The same study by other tools, each as its documentation recommends; `../alternatives.py` measures them."""
