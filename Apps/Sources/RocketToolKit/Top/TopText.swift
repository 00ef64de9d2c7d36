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

    /// A time with its unit, as the page has it: milliseconds below a second, then seconds, then two units.
    private static func seconds(_ value: Double) -> String {
        // A page can claim any number.
        if value.isNaN { return "-" }
        let whole = Int(min(max(value, 0), 1e12))
        return switch value {
        case ..<0: "-"
        case 0: "0"
        case ..<0.000_000_5: "< 0.001 ms"
        case ..<0.000_999_5: LoadNumber.text(value * 1e3, 3) + " ms"
        case ..<0.999_5: threeDigits(value * 1e3) + " ms"
        case ..<60: threeDigits(value) + " s"
        case ..<3600: "\(whole / 60) min \(whole % 60) s"
        case ..<86_400: "\(whole / 3600) h \(whole % 3600 / 60) min"
        default: "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
        }
    }

    private static func threeDigits(_ value: Double) -> String {
        LoadNumber.text(value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)
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
