import RocketBase
import RocketSystem

/// Which parts have been asked and have not answered yet. Any thread.
final class WatchdogRound: Sendable {
    private struct Books {
        var parts: [WatchdogTarget] = []
        /// Grows with each round, so that a late answer of an earlier round counts for nothing.
        var round = 0
        var silent: Set<Int> = []
    }

    private let books = Locked(Books())

    func add(_ part: WatchdogTarget) { books.withLock { $0.parts.append(part) } }

    /// Asks all parts. They answer on threads of their own, or at once.
    func ask() {
        let (parts, round) = books.withLock { books in
            books.round += 1
            books.silent = Set(books.parts.indices)
            return (books.parts, books.round)
        }
        for (index, part) in parts.enumerated() {
            part.ask { [weak self] in self?.answered(index, round) }
        }
    }

    private func answered(_ index: Int, _ round: Int) {
        books.withLock { books in
            if books.round == round { books.silent.remove(index) }
        }
    }

    /// The names of those that have not answered since they were asked last.
    var silent: [String] {
        books.withLock { books in books.silent.sorted().map { books.parts[$0].name } }
    }
}
