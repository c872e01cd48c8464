//! Guesses what was meant.

/// The known word nearest to `word`, if it is near enough to be a slip of the fingers.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A slip every three letters, and one even in a short word.
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    let length = word.len();
    known
        .into_iter()
        // The distance of a very long word takes very long.
        .filter(|candidate| candidate.len().abs_diff(length) <= allowed)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Dashes and underscores are the same slip for free, and so is case.
fn distance(a: &str, b: &str) -> usize {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    strsim::damerau_levenshtein(&plain(a), &plain(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_finds_the_word() {
        let known = ["timeout", "user_agent", "body_limit"];

        assert_eq!(nearest("timout", known), Some("timeout"));
        assert_eq!(nearest("user-agent", known), Some("user_agent"));
        assert_eq!(nearest("bodylimit", known), Some("body_limit"));
        assert_eq!(nearest("colour", known), None);
    }
}
