/// The profile a first start writes: commented, and meant to be edited.
///
/// Administrators may use the tools of the server `systemprompt`, everyone with the scope `tools:use`
/// all others; destructive words are blocked, and a session makes 300 calls a minute. The model `echo`
/// answers without a key.
pub const STARTER_PROFILE: &str = include_str!("starter.yaml");
