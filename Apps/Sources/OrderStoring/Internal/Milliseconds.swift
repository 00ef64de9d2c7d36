package import RocketSystem

extension WallTime {
    /// Whole milliseconds since 1970, rounded down.
    package var milliseconds: Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension Duration {
    /// Whole milliseconds, clamped to the range of calendar arithmetic.
    package var milliseconds: Int64 {
        let seconds = min(max(components.seconds, -1_000_000_000_000), 1_000_000_000_000)
        return seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
