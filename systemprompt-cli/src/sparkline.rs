//! Numbers as a line of bars.

/// Most bars of a line; neighbours share one when there are more.
const WIDEST: usize = 30;

const BARS: [char; 8] = [
    '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}',
];

/// `values` as bars, the largest at full height; nothing is the space below the lowest bar.
pub(crate) fn sparkline(values: &[u64]) -> String {
    let each = values.len().div_ceil(WIDEST).max(1);
    let sums: Vec<u128> = values
        .chunks(each)
        .map(|chunk| chunk.iter().map(|value| u128::from(*value)).sum())
        .collect();
    let most = sums.iter().copied().max().unwrap_or_default().max(1);
    let bar = |sum: &u128| {
        let height = (*sum * 8).div_ceil(most);
        let at = usize::try_from(height).unwrap_or_default().checked_sub(1);
        at.and_then(|at| BARS.get(at)).copied().unwrap_or(' ')
    };
    let line: String = sums.iter().map(bar).collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_numbers() {
        assert_eq!(sparkline(&[0, 1, 4, 8]), " \u{2581}\u{2584}\u{2588}");
        assert_eq!(sparkline(&[5, 5]), "\u{2588}\u{2588}");
        assert_eq!(sparkline(&[u64::MAX, 1]), "\u{2588}\u{2581}");
        assert_eq!(sparkline(&[0, 0]), "");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[1; 240]).chars().count(), WIDEST);
    }
}
