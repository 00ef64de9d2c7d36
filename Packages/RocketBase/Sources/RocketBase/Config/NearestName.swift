/// Finds the known name that is most similar to a mistyped one.
public enum NearestName {
    /// Returns the most similar of the names; nil when more than a third of the letters differ. Only
    /// the first 64 bytes are compared.
    public static func to(_ name: String, in names: [String]) -> String? {
        let typed = Array(name.lowercased().utf8.prefix(64))
        let near = names.map { ($0, distance(typed, Array($0.lowercased().utf8.prefix(64)))) }
            .min { $0.1 < $1.1 }
        guard let (best, distance) = near, distance <= max(1, typed.count / 3) else { return nil }
        return best
    }

    /// Returns `; did you mean port?`, or an empty text when no name is similar.
    public static func hint(for name: String, in names: [String]) -> String {
        to(name, in: names).map { "; did you mean \($0)?" } ?? ""
    }

    /// Returns the number of letters that are inserted, deleted, replaced or swapped with their
    /// neighbour (optimal string alignment).
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var older: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, older[j - 1] + 1)
                }
                row.append(best)
            }
            (older, last) = (last, row)
        }
        return last[b.count]
    }
}
