"""Beyond one machine: a small model of many nodes, from figures that were measured on one node."""
