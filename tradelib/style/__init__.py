"""How numbers, sentences, tables and charts look."""
