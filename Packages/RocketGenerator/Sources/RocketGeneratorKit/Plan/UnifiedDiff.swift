/// Difference of two texts in the format of `diff -u`.
struct UnifiedDiff {
    private enum Line {
        case both(Substring)
        case old(Substring)
        case new(Substring)

        var isBoth: Bool { if case .both = self { true } else { false } }
        var isOld: Bool { if case .new = self { false } else { true } }
        var isNew: Bool { if case .old = self { false } else { true } }

        var text: String {
            switch self {
            case .both(let text): " \(text)"
            case .old(let text): "-\(text)"
            case .new(let text): "+\(text)"
            }
        }
    }

    private let lines: [Line]
    /// Number of equal lines before and after a change.
    private let context = 3

    init(_ old: String, _ new: String) {
        func split(_ text: String) -> [Substring] {
            var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
            if lines.last?.isEmpty == true { lines.removeLast() }
            return lines
        }
        let (before, after) = (split(old), split(new))
        let difference = after.difference(from: before)
        let removed = Set(
            difference.removals.map { if case .remove(let at, _, _) = $0 { at } else { -1 } })
        let inserted = Set(
            difference.insertions.map { if case .insert(let at, _, _) = $0 { at } else { -1 } })
        var lines: [Line] = []
        var (left, right) = (0, 0)
        while left < before.count || right < after.count {
            if removed.contains(left) {
                lines.append(.old(before[left]))
                left += 1
            } else if inserted.contains(right) {
                lines.append(.new(after[right]))
                right += 1
            } else {
                lines.append(.both(before[left]))
                left += 1
                right += 1
            }
        }
        self.lines = lines
    }

    /// The hunks, each after its `@@` line; empty for equal texts.
    var text: String {
        hunks.map { range in
            let before = lines[..<range.lowerBound]
            let hunk = lines[range]
            let old = "\(start(before, hunk) { $0.isOld }),\(hunk.filter(\.isOld).count)"
            let new = "\(start(before, hunk) { $0.isNew }),\(hunk.filter(\.isNew).count)"
            return "@@ -\(old) +\(new) @@\n" + hunk.map { "\($0.text)\n" }.joined()
        }.joined()
    }

    /// Returns the number of a hunk's first line on one side, or that of the line before the hunk if
    /// it has no lines on this side.
    private func start(
        _ before: ArraySlice<Line>, _ hunk: ArraySlice<Line>, _ isOn: (Line) -> Bool
    ) -> Int {
        before.filter(isOn).count + (hunk.contains(where: isOn) ? 1 : 0)
    }

    private var hunks: [Range<Int>] {
        var hunks: [Range<Int>] = []
        for index in lines.indices where !lines[index].isBoth {
            let range = max(0, index - context)..<min(lines.count, index + context + 1)
            if let last = hunks.last, range.lowerBound <= last.upperBound {
                hunks[hunks.count - 1] = last.lowerBound..<range.upperBound
            } else {
                hunks.append(range)
            }
        }
        return hunks
    }
}
