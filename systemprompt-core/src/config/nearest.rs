/// The candidate a misspelt word was most likely meant to be, if any is close. Words of more than 128
/// bytes are close to none.
#[must_use]
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > 128 {
        return None;
    }
    let fold = |text: &str| text.to_lowercase().replace('-', "_");
    let folded = fold(word);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_close_and_leaves_the_far() {
        let keys = ["limits", "rules", "on_allow"];
        assert_eq!(nearest("limts", keys), Some("limits"));
        assert_eq!(nearest("Rules", keys), Some("rules"));
        assert_eq!(nearest("on-allow", keys), Some("on_allow"));
        assert_eq!(nearest("gtp-5", ["gpt-5"]), Some("gpt-5"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), keys), None);
    }
}
