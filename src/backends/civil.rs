//! Times as people read them: UTC, RFC 3339.

/// Milliseconds of a day.
pub(super) const DAY_MS: u64 = 86_400_000;

/// `2026-11-20T12:00:00.000Z` for milliseconds since the Unix epoch. A year has more than four digits from
/// 10000 on.
pub(super) fn rfc3339(ms: u64) -> String {
    let (year, month, day) = civil(ms / DAY_MS);
    let (seconds, ms) = (ms % DAY_MS / 1000, ms % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Year, month and day of a number of days since the Unix epoch. Howard Hinnant,
/// *chrono-Compatible Low-Level Date Algorithms*, 2021: years begin in March, eras have 400 years.
pub(super) fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_178_588_123), "2026-11-20T12:43:08.123Z");
        assert_eq!(rfc3339(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
        assert_eq!(rfc3339(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    }
}
