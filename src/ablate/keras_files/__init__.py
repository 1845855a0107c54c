"""Files of Keras: opened, wherever they come from, without running what they name, and within bounds of memory."""
