mod batches;
mod health;
