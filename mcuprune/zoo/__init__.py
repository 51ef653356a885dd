"""Small pruned int8 models that travel with the package, each with a card that says what it is."""
