//! The product: the guide as a graph, its commands, what a person sees.
