/// Values as bars of one character each.
enum TerminalBars {
    private static let bars = Array("▁▂▃▄▅▆▇█")

    /// Returns the last values, the newest at the right, `width` characters wide; the highest bar is
    /// the highest value.
    static func spark(_ values: [Double], width: Int) -> String {
        let shown = values.suffix(width)
        let highest = max(shown.max() ?? 0, 1e-9)
        let text = String(shown.map { bars[min(7, Int($0 / highest * 7.999))] })
        return String(repeating: " ", count: width - shown.count) + text
    }
}
