//! The integration tests of the model gateway.

#[cfg(test)]
mod gateway;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod upstream;
