/// Values as bars of one character each.
enum TerminalBars {
    private static let bars = Array("▁▂▃▄▅▆▇█")

    /// Returns the last values, the newest at the right, `width` characters wide; the highest bar is
    /// the highest value. Negative ones, which a page may claim, are as 0.
    static func spark(_ values: [Double], width: Int) -> String {
        let shown = values.suffix(width)
        let highest = max(shown.max() ?? 0, 1e-9)
        let text = String(
            shown.map { value in
                let share = value / highest
                // Also no number: infinity by infinity.
                return bars[share > 0 ? min(7, Int(min(1, share) * 7.999)) : 0]
            })
        return String(repeating: " ", count: width - shown.count) + text
    }
}
