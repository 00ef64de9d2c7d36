/// Where everything is in the file of a flight recorder (docs/guides/flight-recorder.md): offsets and sizes in
/// bytes. Numbers are little endian.
enum FlightFormat {
    /// "RKTFLGHT".
    static let magic: UInt64 = 0x5448_474C_4654_4B52
    static let version: UInt32 = 1
    static let headerBytes = 4096
    /// Records begin at multiples of it, and have such lengths.
    static let alignment = 32
    /// The smallest areas of a loop and of a buffer of the log.
    static let leastLoopBytes = 64 * 1024
    static let leastLogBytes = 4096
    static let maxLoops = 1024
    static let maxLogs = 256

    /// The header of the file.
    enum Header {
        static let magic = 0
        static let version = 8
        static let headerBytes = 12
        static let fileBytes = 16
        static let processID = 24
        static let salt = 28
        static let startedWall = 32
        static let startedMonotonic = 40
        static let loopCount = 48
        static let slotCount = 52
        static let loopBytes = 56
        static let logCount = 64
        static let logBytes = 72
        static let nameLength = 80
        static let name = 82
        static let maxName = 64
        /// Of the bytes before it.
        static let check = 192
        // What changes:
        static let state = 196
        static let signal = 200
        static let signalThread = 204
    }

    /// The header of a loop's area; the slots follow, then the ring.
    enum Loop {
        static let nameLength = 0
        static let name = 2
        static let maxName = 62
        /// When the loop ran last.
        static let heartbeat = 64
        /// Calls that began while no slot was free.
        static let withoutSlot = 72
        static let bytes = 128
    }

    /// What every record begins with.
    enum Record {
        /// CRC-32C of the bytes behind it, to the end of the record, XOR the header's salt.
        static let check = 0
        static let length = 4
        static let kind = 6
        static let flags = 7
        /// From 1 on, in each ring. In a slot: the call's number; 0: the slot is free.
        static let sequence = 8

        static let call: UInt8 = 1
        static let line: UInt8 = 2

        static let isRefused: UInt8 = 1
        static let isCut: UInt8 = 2
    }

    /// A call: in a slot while it is in flight, in the ring when it has ended.
    enum Call {
        static let number = 16
        static let began = 24
        static let ended = 32
        static let code = 40
        static let connection = 44
        static let requestBytes = 48
        static let responseBytes = 52
        static let methodLength = 56
        static let peerLength = 57
        static let wireLength = 58
        static let idLength = 59
        static let text = 64

        static let maxMethod = 96
        static let maxPeer = 52
        static let maxWire = 12
        static let maxID = 32
        /// The size of a slot.
        static let slotBytes = text + maxMethod + maxPeer + maxWire + maxID
    }

    /// A line of the log.
    enum Line {
        static let time = 16
        static let thread = 24
        static let level = 28
        static let stream = 29
        static let fieldCount = 30
        static let line = 32
        static let fileLength = 36
        static let messageLength = 38
        static let idLength = 40
        static let methodLength = 42
        static let peerLength = 44
        static let fieldBytes = 46
        static let text = 48

        static let maxBytes = 2048
    }

    /// Rounds up to a length that records have.
    static func padded(_ length: Int) -> Int { (length + alignment - 1) & ~(alignment - 1) }
}

/// How the memory of a recorder is divided. A value.
struct FlightLayout: Equatable, Sendable {
    var fileBytes: Int
    var loopCount: Int
    var slotCount: Int
    var loopBytes: Int
    var logCount: Int
    var logBytes: Int

    /// Divides the memory: a quarter is for lines, the rest for calls.
    ///
    /// - Returns: nil if it is too small.
    init?(fileBytes: Int, loops: Int, logs: Int) {
        loopCount = min(max(1, loops), FlightFormat.maxLoops)
        logCount = min(max(1, logs), FlightFormat.maxLogs)
        self.fileBytes = fileBytes
        let alignment = FlightFormat.alignment
        logBytes = max(FlightFormat.leastLogBytes, fileBytes / 4 / logCount) & ~(alignment - 1)
        let rest = fileBytes - FlightFormat.headerBytes - logCount * logBytes
        loopBytes = rest / loopCount & ~(alignment - 1)
        if loopBytes < FlightFormat.leastLoopBytes { return nil }
        slotCount = min(1024, loopBytes / 8 / FlightFormat.Call.slotBytes)
    }

    /// What a header says; not checked.
    init(
        fileBytes: Int, loopCount: Int, slotCount: Int, loopBytes: Int, logCount: Int, logBytes: Int
    ) {
        self.fileBytes = fileBytes
        self.loopCount = loopCount
        self.slotCount = slotCount
        self.loopBytes = loopBytes
        self.logCount = logCount
        self.logBytes = logBytes
    }

    /// The least size for so many loops and buffers of the log.
    static func leastBytes(loops: Int, logs: Int) -> Int {
        let areas = max(1, loops) * FlightFormat.leastLoopBytes
        // The lines take a quarter, if that is more than their least.
        return FlightFormat.headerBytes
            + max(areas + max(1, logs) * FlightFormat.leastLogBytes, (areas * 4 + 8191) / 3)
    }

    /// Whether all areas are within the file and have room.
    var isValid: Bool {
        (1...FlightFormat.maxLoops).contains(loopCount)
            && (1...FlightFormat.maxLogs).contains(logCount) && (0...65_536).contains(slotCount)
            && (0..<1 << 40).contains(loopBytes) && (0..<1 << 40).contains(logBytes)
            && (0..<1 << 50).contains(fileBytes)
            && FlightFormat.Loop.bytes + slotCount * FlightFormat.Call.slotBytes <= loopBytes
            && log(logCount).lowerBound <= fileBytes
    }

    /// The area of a loop.
    func loop(_ index: Int) -> Range<Int> {
        let start = FlightFormat.headerBytes + index * loopBytes
        return start..<start + loopBytes
    }

    /// Where the slots of a loop begin, from the start of its area on.
    var slots: Int { FlightFormat.Loop.bytes }
    /// Where the ring of a loop begins, from the start of its area on.
    var ring: Int { slots + slotCount * FlightFormat.Call.slotBytes }

    /// The ring of a buffer of the log.
    func log(_ index: Int) -> Range<Int> {
        let start = loop(loopCount).lowerBound + index * logBytes
        return start..<start + logBytes
    }
}
