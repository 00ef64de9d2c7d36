import RocketSystem

/// Numbers as people read them.
enum Quantity {
    /// `12,345`
    static func count(_ value: Int) -> String { grouped(String(value)) }

    /// Three digits that count: `0.25`, `1.24`, `12.4`, `124`, `12,400`.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let size = abs(value)
        if size >= 99.95 { return count(Int(clamping: Int64(min(size, 9e15).rounded()))) }
        let decimals = size >= 9.995 ? 1 : size == 0 ? 0 : 2
        return fixed(value, decimals)
    }

    /// A share of one: `0.3 %`, `42 %`.
    static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "–" }
        let percent = share * 100
        if percent > 0, percent < 0.01 { return "< 0.01 %" }
        return
            (percent >= 9.95 || percent == 0
            ? fixed(percent, 0) : fixed(percent, percent < 0.1 ? 2 : 1)) + " %"
    }

    /// Milliseconds below a second, with three digits that count and at most three decimals, then seconds,
    /// then two units: `0.310 ms`, `1.24 ms`, `124 ms`, `3.20 s`, `2 min 5 s`, `3 h 12 min`, `4 d 2 h`.
    /// `rocket top` shows times in the same way.
    static func duration(_ duration: Duration) -> String {
        let nanoseconds = duration.wholeNanoseconds
        if nanoseconds < 0 { return "–" }
        let seconds = nanoseconds / 1_000_000_000
        switch nanoseconds {
        case 0: return "0"
        case ..<500: return "< 0.001 ms"
        case ..<999_500: return "\(fixed(Double(nanoseconds) / 1e6, 3)) ms"
        case ..<999_500_000: return "\(number(Double(nanoseconds) / 1e6)) ms"
        case ..<60_000_000_000: return "\(number(Double(nanoseconds) / 1e9)) s"
        default: break
        }
        if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
        if seconds < 86_400 { return "\(seconds / 3600) h \(seconds % 3600 / 60) min" }
        return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
    }

    /// `812 B`, `1.4 KiB`, `96 MiB`.
    static func bytes(_ value: UInt64) -> String {
        if value < 1024 { return "\(value) B" }
        var size = Double(value) / 1024
        for unit in ["KiB", "MiB", "GiB"] {
            if size < 1024 { return "\(number(size)) \(unit)" }
            size /= 1024
        }
        return "\(number(size)) TiB"
    }

    /// UTC: `2026-01-02 03:04:05.678`.
    static func moment(_ time: WallTime) -> String {
        let (day, rest) = split(time)
        return "\(day) \(rest)"
    }

    /// The time of day in UTC, with milliseconds: `03:04:05.678`.
    static func timeOfDay(_ time: WallTime) -> String { split(time).time }

    /// RFC 3339: `2026-01-02T03:04:05.678Z`.
    static func timestamp(_ time: WallTime) -> String {
        let (day, rest) = split(time)
        return "\(day)T\(rest)Z"
    }

    private static func split(_ time: WallTime) -> (day: String, time: String) {
        let number = CivilDate(at: time, utcOffsetSeconds: 0).number
        let milliseconds =
            Int((time.nanoseconds / 1_000_000) % 86_400_000 + 86_400_000) % 86_400_000
        let day = [
            padded(number / 10_000, 4), padded(number / 100 % 100, 2), padded(number % 100, 2),
        ].joined(separator: "-")
        let seconds = milliseconds / 1000
        let clock = [
            padded(seconds / 3600, 2), padded(seconds / 60 % 60, 2), padded(seconds % 60, 2),
        ].joined(separator: ":")
        return (day, "\(clock).\(padded(milliseconds % 1000, 3))")
    }

    /// A number with that many decimals.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        var factor = 1
        for _ in 0..<decimals { factor *= 10 }
        let scaled = Int((min(abs(value), 9e12) * Double(factor)).rounded())
        let sign = value < 0 && scaled > 0 ? "−" : ""
        let whole = sign + count(scaled / factor)
        return decimals == 0 ? whole : "\(whole).\(padded(scaled % factor, decimals))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    private static func grouped(_ digits: String) -> String {
        let isNegative = digits.hasPrefix("-")
        let bare = isNegative ? String(digits.dropFirst()) : digits
        var result = ""
        for (index, digit) in bare.enumerated() {
            if index > 0, (bare.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return isNegative ? "−" + result : result
    }
}
