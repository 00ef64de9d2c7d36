import RocketSystem

/// `NAME_rpc_YYYYMMDD_log.N`: one file of a stream. Ordered by age.
struct LogFileName: Hashable, Comparable, CustomStringConvertible {
    /// `NAME_rpc`.
    let prefix: String
    let date: CivilDate
    /// Counts the files of a day from 0.
    let index: Int

    init(prefix: String, date: CivilDate, index: Int) {
        self.prefix = prefix
        self.date = date
        self.index = index
    }

    /// Reads a file's name; nil when it is none of that prefix's.
    init?(_ name: String, prefix: String) {
        let head = prefix + "_"
        guard name.hasPrefix(head) else { return nil }
        let rest = name.dropFirst(head.count)
        let parts = rest.split(separator: "_", maxSplits: 1)
        guard parts.count == 2, parts[0].utf8.count == 8, parts[1].hasPrefix("log."),
            let date = Self.digits(parts[0]), let index = Self.digits(parts[1].dropFirst(4))
        else { return nil }
        self.init(prefix: prefix, date: CivilDate(number: date), index: index)
    }

    private static func digits(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            ? Int(text) : nil
    }

    var description: String { "\(prefix)_\(date.number)_log.\(index)" }

    static func < (a: LogFileName, b: LogFileName) -> Bool {
        (a.date, a.index) < (b.date, b.index)
    }
}
