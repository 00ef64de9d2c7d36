import RocketSystem

/// The folder that one stream's files stand in.
struct LogFolder {
    let path: String
    let prefix: String

    func path(of name: LogFileName) -> String { "\(path)/\(name)" }

    /// This stream's files, oldest first.
    func files() throws(SystemError) -> [LogFileName] {
        let prefix = prefix
        return try FileSystem.names(in: path).compactMap { LogFileName($0, prefix: prefix) }
            .sorted()
    }

    /// The file to go on with on that day: the day's last, or its first when there is none.
    func latest(on date: CivilDate) throws(SystemError) -> LogFileName {
        try files().last { $0.date == date }
            ?? LogFileName(prefix: prefix, date: date, index: 0)
    }

    /// Removes the oldest files until at most `count` are left that hold at most `bytes` together;
    /// 0 means no limit. The current one always stays and is counted as large as it may become.
    /// Files that can't be removed stay: a log must not end for that.
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
