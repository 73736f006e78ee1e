"""What every part of gandl shares: errors, schemas, images, plates, database, store, clients."""
