"""Engine defects that were put in on purpose, and the program that shows that the tests catch each of them."""
