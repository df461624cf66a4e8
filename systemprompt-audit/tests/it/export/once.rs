//! Writing a part of the log out.

use std::time::Duration;

use systemprompt_audit::export::{Encoder, Format, OnceError, OnceFilter, write_once};

use super::delivery::append;
use crate::fixture::Fixture;

#[tokio::test]
async fn a_part_of_the_log_is_written_out() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 1500).await;
    let middle = fixture.now();
    fixture.clock.advance(Duration::from_secs(1));
    append(&fixture, &log, 20).await;
    let encoder = Encoder::new(Format::JsonLines, "here");
    let later = middle.after(Duration::from_micros(1));
    for (filter, expected) in [
        (OnceFilter::default(), 1520),
        (OnceFilter { from: Some(later), ..OnceFilter::default() }, 20),
        (OnceFilter { to: Some(later), ..OnceFilter::default() }, 1500),
        (OnceFilter { origin: Some(log.origin().to_string()), ..OnceFilter::default() }, 1520),
    ] {
        let mut out = Vec::new();
        let count = write_once(&fixture.pool, &encoder, &filter, &mut out).await.unwrap();
        assert_eq!(count, expected, "{filter:?}");
        assert_eq!(String::from_utf8(out).unwrap().lines().count() as u64, expected);
    }
    let nowhere = OnceFilter { origin: Some("nowhere".to_owned()), ..OnceFilter::default() };
    let error = write_once(&fixture.pool, &encoder, &nowhere, &mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, OnceError::Origin(_)));
    log.close().await;
}
