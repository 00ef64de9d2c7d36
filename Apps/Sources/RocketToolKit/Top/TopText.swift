import RocketProgram

/// Figures as texts of few characters. A value.
enum TopText {
    static func cell(_ cell: TopCell?, _ kind: TopTab.Kind) -> String {
        switch cell {
        case .text(let text): TerminalText.safe(text)
        case .number(let value): number(value, kind)
        case .some(.none), nil: "-"
        }
    }

    static func number(_ value: Double?, _ kind: TopTab.Kind) -> String {
        guard let value else { return "-" }
        return switch kind {
        case .text, .count: grouped(value)
        case .rate: value < 100 ? LoadNumber.text(value, 1) : grouped(value)
        case .seconds: seconds(value)
        case .bytes: bytes(value)
        case .share: LoadNumber.text(value * 100, 1) + " %"
        }
    }

    /// A time with its unit.
    private static func seconds(_ value: Double) -> String {
        switch value {
        case ..<0.001: LoadNumber.text(value * 1e6, value < 0.0001 ? 1 : 0) + " us"
        case ..<1: LoadNumber.text(value * 1e3, value < 0.1 ? 2 : 0) + " ms"
        case ..<120: LoadNumber.text(value, value < 10 ? 2 : 0) + " s"
        case ..<7200: LoadNumber.text((value / 60).rounded(.down), 0) + " min"
        case ..<172_800: LoadNumber.text((value / 3600).rounded(.down), 0) + " h"
        default: LoadNumber.text((value / 86_400).rounded(.down), 0) + " d"
        }
    }

    private static func bytes(_ value: Double) -> String {
        var (value, unit) = (value, 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
        return LoadNumber.text(value, unit == 0 || value >= 100 ? 0 : 1) + " " + units[unit]
    }

    /// A whole number with commas.
    private static func grouped(_ value: Double) -> String {
        let digits = LoadNumber.text(value, 0)
        let sign = digits.hasPrefix("-") ? "-" : ""
        let plain = Array(digits.dropFirst(sign.count))
        // Beyond 9e18 it has an exponent.
        if !plain.allSatisfy(\.isNumber) { return digits }
        let groups = plain.indices.map { index in
            (index > 0 && (plain.count - index) % 3 == 0 ? "," : "") + String(plain[index])
        }
        return sign + groups.joined()
    }
}
