public import FoundationEssentials
import RocketBase
import RocketReactor
@_spi(Transport) import RocketTCP

/// The long fields of the message that is encoded: they are left out of the buffer, and sent from
/// where they are. Strings and bytes of the outermost message only.
///
/// One per loop, empty but while a reply is encoded. A reference that is not counted, so that it
/// costs a call nothing: `LoopLongFields` has the memory.
@safe @usableFromInline
struct LongFields {
    private struct Field {
        let segment: any OutputSegment
        /// The bytes of the buffer before it.
        let offset: Int
    }

    private struct State {
        /// In their order.
        var fields: [Field] = []
        var byteCount = 0
        var end = 0
    }

    // SAFETY: whoever has this value has its `LoopLongFields`, too.
    private let state: UnsafeMutablePointer<State>

    /// For shorter ones a copy costs less than a segment: an object, and a slice of the send.
    @usableFromInline static let leastBytes = 32 << 10

    fileprivate init() {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
    }

    fileprivate func free() {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// All their bytes.
    var byteCount: Int { unsafe state.pointee.byteCount }

    /// Records the bytes of the buffer when the frame is complete.
    func frameEnds(at end: Int) { unsafe state.pointee.end = end }

    fileprivate func append(_ segment: any OutputSegment, offset: Int) {
        unsafe state.pointee.byteCount += segment.count
        unsafe state.pointee.fields.append(Field(segment: segment, offset: offset))
    }

    @usableFromInline
    func removeAll() { unsafe state.pointee = State() }

    /// Moves them into what was written last to the connection.
    func insert(into connection: TCPConnection) {
        let now = unsafe state.pointee
        removeAll()
        for field in now.fields { connection.insert(field.segment, before: now.end - field.offset) }
    }
}

/// The `LongFields` of one loop. Bound to it.
final class LoopLongFields {
    let fields = LongFields()

    deinit { fields.free() }

    static func of(_ reactor: Reactor) -> LoopLongFields {
        reactor.attachment(LoopLongFields.self) { _ in LoopLongFields() }
    }
}

extension _ProtobufWriter {
    /// Writes a long field without its contents. Returns false for one that is to be copied.
    @usableFromInline
    mutating func longField(_ value: String, _ fieldNumber: Int) throws -> Bool {
        guard longFields != nil, value.utf8.count >= LongFields.leastBytes else {
            return false
        }
        try longField(TextSegment(value), fieldNumber)
        return true
    }

    /// Writes a long field without its contents. Returns false for one that is to be copied.
    @usableFromInline
    mutating func longField(_ value: Data, _ fieldNumber: Int) throws -> Bool {
        // A slice would hold all that it is a part of.
        guard longFields != nil, value.count >= LongFields.leastBytes, value.startIndex == 0
        else { return false }
        try longField(DataSegment(value), fieldNumber)
        return true
    }

    private mutating func longField(_ segment: any OutputSegment, _ fieldNumber: Int) throws {
        try room(Self.tagAndVarintBytes)
        put(tag: fieldNumber, 2)
        put(varint: UInt64(truncatingIfNeeded: segment.count))
        longFields?.append(segment, offset: offset)
    }
}

/// A string as a segment.
private final class TextSegment: OutputSegment {
    private let text: String
    let count: Int

    /// - Parameter text: contiguous, and longer than what a string stores in itself.
    init(_ text: String) {
        self.text = text
        count = text.utf8.count
    }

    func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        // SAFETY: the closure gets the string's own storage on the heap, never a copy. Who changes
        // the string elsewhere gets other storage, because this reference to it exists.
        let isLent: Void? = unsafe text.utf8.withContiguousStorageIfAvailable {
            unsafe body(UnsafeRawBufferPointer($0))
        }
        precondition(isLent != nil, "TextSegment: a string stays contiguous")
    }
}

/// Data as a segment.
private final class DataSegment: OutputSegment {
    private let data: Data
    var count: Int { data.count }

    /// - Parameter data: longer than what data stores in itself.
    init(_ data: Data) { self.data = data }

    func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        // SAFETY: as with a string.
        unsafe data.withUnsafeBytes { unsafe body($0) }
    }
}
