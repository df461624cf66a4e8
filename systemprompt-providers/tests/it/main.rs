//! The integration tests of the model gateway.

#[cfg(test)]
mod gateway;
mod probe;
#[cfg(test)]
mod upstream;
