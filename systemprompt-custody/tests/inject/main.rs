//! Injection from outside: what tools get, what they give back, and what the log says about it.

#[cfg(test)]
mod arguments;
#[cfg(test)]
mod bindings;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod custody;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod guide;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod hardening;
#[cfg(test)]
mod house;
#[cfg(test)]
mod http;
#[cfg(test)]
mod https;
#[cfg(test)]
mod permit;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod process;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod upstream;
