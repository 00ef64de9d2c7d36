import RocketBase
import Synchronization

/// Counts of the calls of one loop, by method. The loop writes them, any thread reads: each count is a
/// word of its own that only the loop changes, by a load and a store, without a lock and without an
/// atomic change. What a reader sees of a call that ends meanwhile may be a part.
///
/// A method's row is made at its first call: methods that are never called take a pointer.
// SAFETY: the pointers are to memory of this object, which it frees last; each row is initialized
// before its pointer is published, and indices are below the numbers that it was made with.
@safe final class CallCounters: @unchecked Sendable {
    typealias Word = Atomic<UInt64>
    typealias Row = UnsafeMutablePointer<Word>

    /// The words of a row.
    enum Field {
        static let inFlight = 0
        static let requestBytes = 1
        static let responseBytes = 2
        static let nanoseconds = 3
        static let refused = 4
        /// One for each code of the framework, then those of gRPC, then one for the rest.
        static let codes = 5
        /// Codes of the application, as they came.
        static let ownCodes = codes + Codes.count
        /// As many counts of them.
        static let ownCounts = ownCodes + Codes.ownCount
        static let buckets = ownCounts + Codes.ownCount
        static let count = buckets + RPCLatencyHistogram.bucketCount
    }

    /// Where the counts of error codes are.
    enum Codes {
        static let framework = 13
        static let canonical = 15
        static let rest = framework + canonical
        static let count = rest + 1
        /// The most codes of the application with counts of their own, for each method.
        static let ownCount = 16
    }

    /// Registered methods, and behind them one for all other names.
    private let rows: UnsafeMutablePointer<Atomic<Row?>>
    let methodCount: Int
    /// Examples of traced calls.
    let exemplars: CallExemplars
    /// The index of the names that are not registered.
    var unknown: Int { methodCount }

    init(methodCount: Int) {
        self.methodCount = methodCount
        exemplars = CallExemplars(methodCount: methodCount)
        unsafe rows = .allocate(capacity: methodCount + 1)
        for index in 0...methodCount { unsafe (rows + index).initialize(to: Atomic(nil)) }
    }

    deinit {
        for index in 0...methodCount {
            if let row = unsafe rows[index].load(ordering: .acquiring) {
                unsafe row.deinitialize(count: Field.count)
                unsafe row.deallocate()
            }
        }
        unsafe rows.deinitialize(count: methodCount + 1)
        unsafe rows.deallocate()
    }

    // MARK: On the loop

    /// The row of a method.
    @inline(__always)
    func row(_ index: Int) -> Row {
        if let row = unsafe rows[index].load(ordering: .relaxed) { return unsafe row }
        return unsafe makeRow(index)
    }

    @inline(never)
    private func makeRow(_ index: Int) -> Row {
        let row = Row.allocate(capacity: Field.count)
        for word in 0..<Field.count { unsafe (row + word).initialize(to: Word(0)) }
        unsafe rows[index].store(row, ordering: .releasing)
        return unsafe row
    }

    @inline(__always)
    static func add(_ amount: UInt64, to field: Int, of row: Row) {
        let word = unsafe row + field
        unsafe word.pointee.store(
            word.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    /// Counts the end of a call by its code, which is not 0.
    static func add(_ code: RPCErrorCode, to row: Row) {
        let number = Int(code.rawValue) - 10_000_000
        if number >= 0, number < Codes.framework {
            return unsafe add(1, to: Field.codes + number, of: row)
        }
        if number >= 100, number < 100 + Codes.canonical {
            return unsafe add(1, to: Field.codes + Codes.framework + number - 100, of: row)
        }
        for index in 0..<Codes.ownCount {
            let known = unsafe row[Field.ownCodes + index].load(ordering: .relaxed)
            let bits = UInt64(UInt32(bitPattern: code.rawValue))
            if known == 0 {
                // A reader takes the code with the count, which is 0 before it.
                unsafe row[Field.ownCodes + index].store(bits, ordering: .relaxed)
            } else if known != bits {
                continue
            }
            return unsafe add(1, to: Field.ownCounts + index, of: row)
        }
        unsafe add(1, to: Field.codes + Codes.rest, of: row)
    }

    // MARK: On any thread

    /// Adds the counts of a method to `total`.
    func read(_ index: Int, into total: inout RPCServerSnapshot.Method) {
        guard let row = unsafe rows[index].load(ordering: .acquiring) else { return }
        func word(_ field: Int) -> Int {
            unsafe Int(truncatingIfNeeded: row[field].load(ordering: .relaxed))
        }
        var failed = 0
        func add(_ count: Int, _ code: RPCErrorCode) {
            if count == 0 { return }
            failed += count
            total.ended[code, default: 0] += count
        }
        for number in 0..<Codes.framework {
            add(word(Field.codes + number), RPCErrorCode(rawValue: 10_000_000 + Int32(number)))
        }
        for number in 0..<Codes.canonical {
            add(
                word(Field.codes + Codes.framework + number),
                RPCErrorCode(rawValue: 10_000_100 + Int32(number)))
        }
        add(word(Field.codes + Codes.rest), .unknown)
        for number in 0..<Codes.ownCount {
            let bits = UInt32(truncatingIfNeeded: word(Field.ownCodes + number))
            add(
                word(Field.ownCounts + number), RPCErrorCode(rawValue: Int32(bitPattern: bits)))
        }
        let refused = word(Field.refused)
        let latency = unsafe readLatency(row)
        // Of calls with a handler only the failed ones are counted by code.
        let succeeded = max(0, latency.count - max(0, failed - refused))
        if succeeded > 0 { total.ended[RPCErrorCode(rawValue: 0), default: 0] += succeeded }
        let inFlight = max(0, word(Field.inFlight))
        total.inFlight += inFlight
        total.started += succeeded + failed + inFlight
        total.refused += refused
        total.requestBytes += word(Field.requestBytes)
        total.responseBytes += word(Field.responseBytes)
        total.latency.add(latency)
    }

    /// Adds what all methods have in common: how long their calls took, and how many are in flight.
    func readTotal(_ latency: inout RPCLatencyHistogram, _ inFlight: inout Int) {
        for index in 0...methodCount {
            guard let row = unsafe rows[index].load(ordering: .acquiring) else { continue }
            unsafe latency.add(readLatency(row))
            let own = unsafe row[Field.inFlight].load(ordering: .relaxed)
            inFlight += max(0, Int(truncatingIfNeeded: own))
        }
    }

    private func readLatency(_ row: Row) -> RPCLatencyHistogram {
        let sum = unsafe row[Field.nanoseconds].load(ordering: .relaxed)
        return RPCLatencyHistogram(sumNanoseconds: sum) { bucket in
            unsafe row[Field.buckets + bucket].load(ordering: .relaxed)
        }
    }
}
