"""The modules that all parts of gandl share: errors, schemas, images, plates, database, store and clients."""
