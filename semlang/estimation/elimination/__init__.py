"""Integration of latent variables one after the other, in an order read off the graph."""
