import RocketBase

/// The last error of a method on one loop. A value.
struct LastError {
    /// The index of the method; that of all names that are not registered is the next one.
    var method: Int
    var code: RPCErrorCode
    /// Shortened by `ErrorText`.
    var text: String
    /// By the loop's clock, in nanoseconds.
    var time: UInt64
}

/// The last error of each method on one loop. A value; allocates its memory with the first one.
struct LastErrors {
    /// An error with the code of the last one is not stored so soon after it: under overload there are
    /// many.
    static let interval: UInt64 = 100_000_000

    private let methodCount: Int
    private var errors: [LastError?] = []

    /// - Parameter methodCount: the registered ones.
    init(methodCount: Int) { self.methodCount = methodCount }

    /// An error has ended a call.
    @inline(__always)
    mutating func record(
        _ code: RPCErrorCode, _ text: @autoclosure () -> String, of method: Int, at now: UInt64
    ) {
        if method < errors.count, let last = errors[method], last.code == code,
            now &- last.time < Self.interval
        {
            return
        }
        store(LastError(method: method, code: code, text: ErrorText.shortened(text()), time: now))
    }

    @inline(never)
    private mutating func store(_ error: LastError) {
        if errors.isEmpty { errors = Array(repeating: nil, count: methodCount + 1) }
        guard errors.indices.contains(error.method) else { return }
        errors[error.method] = error
    }

    /// Those of the methods that have one.
    var all: [LastError] { errors.compactMap(\.self) }
}

/// Texts of errors that are kept. Callers and applications choose them: they have a limit.
enum ErrorText {
    /// The most bytes that are kept of one, in UTF-8; of a longer one `…` ends them.
    static let maxBytes = 256

    static func shortened(_ text: String) -> String {
        if text.utf8.count <= maxBytes { return text }
        var kept = text.unicodeScalars.prefix(maxBytes)
        while kept.utf8Count > maxBytes - 3 { kept.removeLast() }
        return String(kept) + "…"
    }
}

extension Substring.UnicodeScalarView {
    fileprivate var utf8Count: Int { reduce(0) { $0 + UTF8.width($1) } }
}
