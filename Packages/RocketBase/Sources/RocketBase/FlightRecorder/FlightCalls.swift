public import RocketSystem

/// Records the calls of one loop: those in flight in slots, those that have ended in a ring. Bound to
/// its loop.
///
/// Text that is the same for the next call in the same slot is not written again. What is written is in
/// the file at once.
@_spi(Recording)
@safe
public final class FlightCalls {
    private typealias Call = FlightFormat.Call
    private typealias Record = FlightFormat.Record

    // SAFETY: all pointers are to the memory of `recorder`, or to `overflow`; slots are below the number
    // of slots. SAFETY of the unchecked properties: bound to one thread, and nothing that runs inside an
    // access to one of them uses the object.
    private let recorder: FlightRecorder
    private let area: UnsafeMutableRawPointer
    private let slots: UnsafeMutableRawPointer
    /// In place of a slot, when none is free.
    private let overflow: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var ring: FlightRing
    @exclusivity(unchecked) private var free: [Int]
    /// What the text of each slot is about.
    @exclusivity(unchecked) private var known: [Known]
    @exclusivity(unchecked) private var lastNumber: UInt64 = 0

    private struct Known {
        var method = -1
        var connection = UInt64.max
        /// Where the id begins.
        var end = 0
    }

    /// A call that begins or is refused.
    @safe
    public struct Beginning {
        // SAFETY: valid until the recorder's function returns.
        let method: UnsafeRawBufferPointer
        let messageID: UnsafeRawBufferPointer
        let methodIndex: Int
        let connection: UInt64
        let peer: String
        let wire: String
        let requestBytes: Int

        /// - Parameters:
        ///   - methodIndex: the same for the same `method`.
        ///   - connection: its number; peer and wire belong to it.
        public init(
            method: UnsafeRawBufferPointer, messageID: UnsafeRawBufferPointer, methodIndex: Int,
            connection: UInt64, peer: String, wire: String, requestBytes: Int
        ) {
            unsafe self.method = method
            unsafe self.messageID = messageID
            self.methodIndex = methodIndex
            self.connection = connection
            self.peer = peer
            self.wire = wire
            self.requestBytes = requestBytes
        }
    }

    init(_ recorder: FlightRecorder, area: UnsafeMutableRawPointer, name: String) {
        let layout = recorder.layout
        self.recorder = recorder
        unsafe self.area = area
        unsafe slots = area + layout.slots
        unsafe overflow = .allocate(byteCount: Call.slotBytes, alignment: 16)
        unsafe overflow.initializeMemory(as: UInt8.self, repeating: 0, count: Call.slotBytes)
        unsafe ring = FlightRing(
            area + layout.ring, byteCount: layout.loopBytes - layout.ring, salt: recorder.salt)
        unsafe free = Array((0..<layout.slotCount).reversed())
        unsafe known = Array(repeating: Known(), count: layout.slotCount)
        let length = unsafe withBytes(of: name) {
            unsafe area.copyText(
                $0, to: FlightFormat.Loop.name, atMost: FlightFormat.Loop.maxName)
        }
        unsafe area.storeBytes(
            of: UInt16(length), toByteOffset: FlightFormat.Loop.nameLength, as: UInt16.self)
    }

    deinit { unsafe overflow.deallocate() }

    /// The loop runs.
    public func beat(at now: MonotonicTime) {
        unsafe area.storeBytes(
            of: now.nanoseconds, toByteOffset: FlightFormat.Loop.heartbeat, as: UInt64.self)
    }

    /// A call begins.
    ///
    /// - Parameters:
    ///   - method: its index, `Beginning.methodIndex`.
    ///   - now: by the monotonic clock, in nanoseconds.
    ///   - describe: is only called if the slot's last call was another method's, or on another
    ///     connection.
    /// - Returns: its slot, for `ended`; negative: none was free.
    public func began(
        method: Int, connection: UInt64, messageID: UnsafeRawBufferPointer, requestBytes: Int,
        at now: UInt64, _ describe: (_ body: (Beginning) -> Void) -> Void
    ) -> Int {
        unsafe lastNumber &+= 1
        guard let slot = unsafe free.popLast() else {
            countWithoutSlot()
            return -1
        }
        let memory = unsafe slots + slot * Call.slotBytes
        var text = unsafe known[slot]
        if text.method != method || text.connection != connection {
            describe { text = unsafe Self.describe($0, in: memory) }
            unsafe known[slot] = text
        }
        unsafe fill(memory, messageID, requestBytes, idAt: text.end, at: now)
        // Last: the slot is in use from now on.
        unsafe memory.storeBytes(of: lastNumber, toByteOffset: Record.sequence, as: UInt64.self)
        return slot
    }

    /// A call has ended that has a slot.
    public func ended(_ slot: Int, code: Int32, responseBytes: Int, at now: UInt64) {
        let count = unsafe known.count
        guard slot >= 0, slot < count else { return }
        let memory = unsafe slots + slot * Call.slotBytes
        unsafe append(memory, code: code, responseBytes: responseBytes, at: now, flags: 0)
        unsafe memory.storeBytes(of: 0, toByteOffset: Record.sequence, as: UInt64.self)
        unsafe free.append(slot)
    }

    /// A call has ended that has no slot, or that was refused before it began.
    public func ended(
        _ call: borrowing Beginning, began: UInt64, code: Int32, responseBytes: Int,
        isRefused: Bool, at now: UInt64
    ) {
        if isRefused { unsafe lastNumber &+= 1 }
        let end = unsafe Self.describe(call, in: overflow).end
        unsafe fill(overflow, call.messageID, call.requestBytes, idAt: end, at: began)
        // The number of a call without a slot is unknown by now.
        if !isRefused {
            unsafe overflow.storeBytes(of: 0, toByteOffset: Call.number, as: UInt64.self)
        }
        unsafe append(
            overflow, code: code, responseBytes: responseBytes, at: now,
            flags: isRefused ? Record.isRefused : 0)
    }

    private func append(
        _ call: UnsafeMutableRawPointer, code: Int32, responseBytes: Int, at now: UInt64,
        flags: UInt8
    ) {
        let text = unsafe call.load(fromByteOffset: Call.methodLength, as: UInt32.self)
        // Four lengths of at most 96 in one word.
        let lengths = (text & 0xff) &+ (text >> 8 & 0xff) &+ (text >> 16 & 0xff) &+ (text >> 24)
        let length = FlightFormat.padded(Call.text + Int(lengths))
        let record = unsafe ring.next(length)
        unsafe record.copyMemory(from: call, byteCount: length)
        unsafe record.storeBytes(of: now, toByteOffset: Call.ended, as: UInt64.self)
        unsafe record.storeBytes(of: code, toByteOffset: Call.code, as: Int32.self)
        unsafe record.storeBytes(
            of: UInt32(clamping: responseBytes), toByteOffset: Call.responseBytes, as: UInt32.self)
        unsafe ring.finish(length, kind: Record.call, flags: flags)
    }

    /// Writes what differs from call to call, but for the number that makes a slot used.
    private func fill(
        _ memory: UnsafeMutableRawPointer, _ messageID: UnsafeRawBufferPointer,
        _ requestBytes: Int, idAt end: Int, at now: UInt64
    ) {
        unsafe memory.storeBytes(of: lastNumber, toByteOffset: Call.number, as: UInt64.self)
        unsafe memory.storeBytes(of: now, toByteOffset: Call.began, as: UInt64.self)
        unsafe memory.storeBytes(
            of: UInt32(clamping: requestBytes), toByteOffset: Call.requestBytes,
            as: UInt32.self)
        let length = unsafe memory.copyText(messageID, to: end, atMost: Call.maxID)
        unsafe memory.storeBytes(
            of: UInt8(length), toByteOffset: Call.idLength, as: UInt8.self)
    }

    /// Writes what calls of the same method on the same connection have in common.
    @inline(never)
    private static func describe(
        _ call: borrowing Beginning, in memory: UnsafeMutableRawPointer
    ) -> Known {
        var end = Call.text
        func add(_ text: UnsafeRawBufferPointer, _ limit: Int, _ length: Int) {
            let count = unsafe memory.copyText(text, to: end, atMost: limit)
            unsafe memory.storeBytes(of: UInt8(count), toByteOffset: length, as: UInt8.self)
            end += count
        }
        unsafe add(call.method, Call.maxMethod, Call.methodLength)
        unsafe withBytes(of: call.peer) { unsafe add($0, Call.maxPeer, Call.peerLength) }
        unsafe withBytes(of: call.wire) { unsafe add($0, Call.maxWire, Call.wireLength) }
        unsafe memory.storeBytes(of: Record.call, toByteOffset: Record.kind, as: UInt8.self)
        unsafe memory.storeBytes(
            of: UInt32(truncatingIfNeeded: call.connection), toByteOffset: Call.connection,
            as: UInt32.self)
        return Known(method: call.methodIndex, connection: call.connection, end: end)
    }

    private func countWithoutSlot() {
        let offset = FlightFormat.Loop.withoutSlot
        let count = unsafe area.load(fromByteOffset: offset, as: UInt64.self)
        unsafe area.storeBytes(of: count &+ 1, toByteOffset: offset, as: UInt64.self)
    }
}

/// Calls `body` with the UTF-8 of the text.
func withBytes<Result>(of text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var text = text
    return text.withUTF8 { unsafe body(UnsafeRawBufferPointer($0)) }
}
