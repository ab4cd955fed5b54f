"""How far apart two places are, in whole numbers: every endorser gets the same."""

from math import isqrt

_ONE = 10**12
_PI = 3_141_592_653_590
_EARTH_METRES = 6_371_009


def chord_metres(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Return the straight distance between two (latitude, longitude) in millionths of a degree.

    Through the earth, so never longer than a way on its surface: a speed that follows from it is
    no exaggeration.
    """
    a, b = _point(*one), _point(*other)
    return _EARTH_METRES * isqrt(sum((p - q) ** 2 for p, q in zip(a, b, strict=True))) // _ONE


def _point(latitude_e6: int, longitude_e6: int) -> tuple[int, int, int]:
    latitude, longitude = _radians(latitude_e6), _radians(longitude_e6)
    across = _cosine(latitude)
    return (
        across * _cosine(longitude) // _ONE,
        across * _sine(longitude) // _ONE,
        _sine(latitude),
    )


def _radians(degrees_e6: int) -> int:
    return degrees_e6 * _PI // 180_000_000


def _cosine(angle: int) -> int:
    return _sine(angle + _PI // 2)


def _sine(angle: int) -> int:
    # Taylor's series, after the angle is brought to ±π/2, where it converges quickly.
    angle = (angle + _PI) % (2 * _PI) - _PI
    if abs(angle) > _PI // 2:
        angle = (_PI if angle > 0 else -_PI) - angle
    term = total = angle
    for n in range(1, 12):
        term = -term * angle // _ONE * angle // _ONE // (2 * n * (2 * n + 1))
        total += term
    return total
