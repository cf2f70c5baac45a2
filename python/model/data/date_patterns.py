"""Patterns: which texts are dates, written as regular expressions that every validator reads.

JSON Schema's formats do not fit: `date` has no time, and `date-time` asks for an offset, which
pandas does not write. So these say the same as `Datetime.mismatch`, the years and the 29th of
February included, with nothing that only Python's expressions have.
"""

# Of four digits, those that can be divided by four are leap years, unless they end with 00.
FOURTHS = "(?:0[48]|[2468][048]|[13579][26])"
LONG_MONTHS = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
SHORT_MONTHS = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
FEBRUARY = "02-(?:0[1-9]|1[0-9]|2[0-8])"
TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,9})?)?"
OFFSET = "(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"

# From 0002 to 9998.
YEARS = (
    "(?:000[2-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-8][0-9]{3}"
    "|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"
)
LEAP_YEARS = f"(?:[0-9]{{2}}{FOURTHS}|(?:0[48]|[2468][048]|[13579][26])00)"
# From 1678 to 2261.
NANOSECOND_YEARS = (
    "(?:167[89]|16[89][0-9]|1[789][0-9]{2}|2[01][0-9]{2}|22[0-5][0-9]|226[01])"
)
NANOSECOND_LEAP_YEARS = (
    f"(?:16(?:8[048]|9[26])|(?:1[789]|2[01]){FOURTHS}"
    "|2000|22(?:0[48]|[24][048]|[135][26]|60))"
)


def date_pattern(*, has_nanoseconds: bool) -> str:
    """Return the pattern of a date, or a date and a time, in ISO 8601.

    A column that counts nanoseconds holds fewer years than others.
    """
    years = YEARS
    leap_years = LEAP_YEARS
    if has_nanoseconds:
        years = NANOSECOND_YEARS
        leap_years = NANOSECOND_LEAP_YEARS
    days = f"(?:{LONG_MONTHS}|{SHORT_MONTHS}|{FEBRUARY})"
    date = f"(?:{years}-{days}|{leap_years}-02-29)"
    return f"^{date}(?:[T ]{TIME}{OFFSET}?)?$"
