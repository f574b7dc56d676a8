"""Machine-readable zones of synthetic travellers, written as ICAO Doc 9303 describes them."""


def check_digit(data: str) -> str:
    values = {"<": 0, **{each: int(each, 36) for each in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}}
    return str(sum(values[each] * (7, 3, 1)[at % 3] for at, each in enumerate(data)) % 10)


def _checked(data: str) -> str:
    return data + check_digit(data)


def td3(number: str, *, issuer: str = "UTO", name: str = "TRAVELLER<<SAMPLE") -> tuple[str, str]:
    """The two lines of a passport whose holder was born on 4 February 1890."""
    first = _checked(number.ljust(9, "<"))
    born, expires = _checked("900204"), _checked("310101")
    personal = _checked("<" * 14)
    whole = first + born + expires + personal
    lower = f"{first}UTO{born}F{expires}{personal}{check_digit(whole)}"
    return f"P<{issuer.ljust(3, '<')}{name}".ljust(44, "<"), lower


def td1(number: str, *, issuer: str = "CHN", name: str = "CHEN<<SHILI") -> tuple[str, str, str]:
    """The three lines of a travel permit whose holder was born on 4 February 1890."""
    if len(number) > 9:
        head, tail = number[:9] + "<", number[9:] + check_digit(number)
    else:
        head, tail = _checked(number.ljust(9, "<")), ""
    upper = f"CR{issuer}{head}{tail}".ljust(30, "<")
    born, expires = _checked("900204"), _checked("310101")
    optional = "<" * 11
    whole = check_digit(upper[5:] + born + expires + optional)
    return upper, f"{born}F{expires}{issuer}{optional}{whole}", name.ljust(30, "<")
