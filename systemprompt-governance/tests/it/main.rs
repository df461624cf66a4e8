//! The governor as its embedders see it, and its doors as clients see them.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod house;
#[cfg(test)]
#[cfg(feature = "http")]
mod http;
#[cfg(test)]
mod layer;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod secrets;
