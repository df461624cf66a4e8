use super::safe_json;
use crate::EventRecord;

pub(super) fn encode(event: &EventRecord, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    safe_json::write(event, line)
}
