//! Connections to providers: timeouts, retries, circuit breakers, guarded addresses.
