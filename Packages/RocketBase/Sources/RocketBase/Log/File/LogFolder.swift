import RocketSystem

/// The folder with the log files of one stream.
struct LogFolder {
    let path: String
    /// `NAME_rpc`.
    let prefix: String

    func path(of name: LogFileName) -> String { "\(path)/\(name)" }

    /// Returns the files of this stream, the oldest first.
    func files() throws(SystemError) -> [LogFileName] {
        let prefix = prefix
        return try FileSystem.names(in: path).compactMap { LogFileName($0, prefix: prefix) }
            .sorted()
    }

    /// Returns the last file of a day, or the name of its first file when there is none.
    func latest(on date: CivilDate) throws(SystemError) -> LogFileName {
        try files().last { $0.date == date }
            ?? LogFileName(prefix: prefix, date: date, index: 0)
    }

    /// Removes the oldest files until at most `count` are left, with at most `bytes` in all; 0
    /// means no limit. The current file is never removed and counts with `limit` bytes. Files that
    /// can't be removed are kept, because their errors must not stop the log.
    func removeOld(keeping count: Int, bytes: Int, current: LogFileName, ofAtMost limit: Int) {
        guard count > 0 || bytes > 0, let files = try? files() else { return }
        var kept = 1
        var total = limit
        for file in files.reversed() where file != current {
            total += FileSystem.size(of: path(of: file)) ?? 0
            kept += 1
            if (count > 0 && kept > count) || (bytes > 0 && total > bytes) {
                try? FileSystem.remove(path(of: file))
            }
        }
    }
}

/// The name of one file of a stream, `NAME_rpc_YYYYMMDD_log.N`. Ordered by age.
struct LogFileName: Hashable, Comparable, CustomStringConvertible {
    /// `NAME_rpc`.
    let prefix: String
    let date: CivilDate
    /// The number of the file within its day, from 0.
    let index: Int

    init(prefix: String, date: CivilDate, index: Int) {
        self.prefix = prefix
        self.date = date
        self.index = index
    }

    /// Parses a file name; nil when it is not a name with this prefix.
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
