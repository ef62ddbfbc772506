"""Run folders: writer, reader, schema, proofs."""
