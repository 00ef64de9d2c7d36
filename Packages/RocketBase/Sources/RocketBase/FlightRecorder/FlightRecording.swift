public import RocketSystem

/// Why bytes are not a file of a flight recorder.
public enum FlightRecordingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// They don't begin as one.
    case foreign
    /// They are of a later version of the format, which this program does not know.
    case newerVersion(UInt32)
    /// The header is cut or damaged.
    case damagedHeader

    /// One line without a full stop.
    public var description: String {
        switch self {
        case .foreign: "is no file of a flight recorder"
        case .newerVersion(let version):
            "has version \(version) of the format; this program knows version "
                + "\(FlightFormat.version)"
        case .damagedHeader: "is cut or damaged: its header is not valid"
        }
    }
}

/// What a flight recorder has recorded: the contents of its file, also of a process that has crashed, is
/// running, or of a file that is cut or damaged, of which a part is read. A value.
///
/// Calls have times of the monotonic clock, which are shown as calendar times by the difference that the
/// two clocks had at the start: if the calendar was set meanwhile, lines and calls are in a wrong order.
public struct FlightRecording: Sendable {
    /// A call.
    public struct Call: Hashable, Sendable {
        /// The full name of its method; at most 96 bytes of it.
        public var method = ""
        /// The address of the caller.
        public var peer = ""
        /// The wire: `TinyPB`, `gRPC`.
        public var wire = ""
        /// Its id, as in lines of the log; at most 32 bytes of it.
        public var messageID = ""
        /// The name of its loop.
        public var loop = ""
        /// The number of its connection.
        public var connection: UInt32 = 0
        /// When it began.
        public var beganAt = WallTime(nanoseconds: 0)
        /// How long it took; its age at the last sign of life if it was in flight.
        public var duration = Duration.zero
        /// Its end; nil: it was in flight. 0 for a response.
        public var code: RPCErrorCode?
        /// Whether it was refused before it began.
        public var isRefused = false
        /// The size of the request.
        public var requestBytes = 0
        /// The size of the response.
        public var responseBytes = 0

        /// When it ended.
        public var endedAt: WallTime { beganAt.later(by: duration) }
    }

    /// A line of the log.
    public struct Line: Hashable, Sendable {
        /// When it was logged.
        public var time = WallTime(nanoseconds: 0)
        /// Its severity.
        public var level = LogLevel.info
        /// Its stream.
        public var stream = LogStream.app
        /// The id of the thread that logged it.
        public var threadID: Int32 = 0
        /// The file and the line of its source: `RocketRPC/RPCServer.swift:7`.
        public var location = ""
        /// The message, and ` key=value` for each field and for peer, method and id of its call, as in
        /// the log.
        public var text = ""
    }

    /// A loop.
    public struct Loop: Hashable, Sendable {
        /// The name of its thread.
        public var name = ""
        /// When it ran last, to the second; nil: unknown.
        public var lastRanAt: WallTime?
        /// How many calls were in flight.
        public var callsInFlight = 0
        /// How many calls are recorded that have ended.
        public var recordedCalls = 0
        /// How many calls began while all slots were in use: they are missing among those in flight.
        public var callsWithoutSlot: UInt64 = 0
    }

    /// What the program is called.
    public private(set) var program = ""
    /// The id of the process.
    public private(set) var processID: Int32 = 0
    /// When the recorder was made.
    public private(set) var startedAt = WallTime(nanoseconds: 0)
    /// Whether the process has ended in an orderly way. false: it runs, or has crashed.
    public private(set) var isClosed = false
    /// The number of the signal of a crash; 0: none was recorded. SIGKILL can't be recorded.
    public private(set) var signal: UInt32 = 0
    /// The id of the thread that received it.
    public private(set) var signalThread: UInt32 = 0
    /// The latest time that is recorded: the process lived then.
    public private(set) var lastSignOfLife = WallTime(nanoseconds: 0)
    /// The loops that have served calls.
    public private(set) var loops: [Loop] = []
    /// The calls that had begun and not ended, the oldest first.
    public private(set) var callsInFlight: [Call] = []
    /// The last calls that ended, by the time of their ends.
    public private(set) var endedCalls: [Call] = []
    /// The last lines of the log, by their times.
    public private(set) var lines: [Line] = []
    /// How many bytes of the file are missing at its end.
    public private(set) var missingBytes = 0

    /// Reads the contents of a file, whatever they are.
    ///
    /// - Throws: `FlightRecordingError`.
    public init(_ bytes: [UInt8]) throws(FlightRecordingError) {
        let file = FlightFile(bytes)
        let header = try file.header()
        program = header.program
        processID = header.processID
        startedAt = WallTime(nanoseconds: header.startedWall)
        isClosed = header.state != 0
        signal = header.signal
        signalThread = header.signalThread
        missingBytes = max(0, header.layout.fileBytes - bytes.count)
        lastSignOfLife = startedAt
        for index in 0..<header.layout.loopCount { readLoop(index, of: file, header) }
        for index in 0..<header.layout.logCount {
            for record in file.records(in: header.layout.log(index), header.salt) {
                if let line = file.line(record) { lines.append(line) }
            }
        }
        for line in lines { lastSignOfLife = max(lastSignOfLife, line.time) }
        lines.sort { $0.time < $1.time }
        endedCalls.sort { $0.endedAt < $1.endedAt }
        for index in callsInFlight.indices {
            let age = callsInFlight[index].beganAt.duration(to: lastSignOfLife)
            callsInFlight[index].duration = max(.zero, age)
        }
        callsInFlight.sort { $0.beganAt < $1.beganAt }
    }

    private mutating func readLoop(_ index: Int, of file: FlightFile, _ header: FlightHeader) {
        let area = header.layout.loop(index)
        var loop = Loop()
        loop.name = file.text(
            area.lowerBound + FlightFormat.Loop.name,
            min(
                Int(file.number(area.lowerBound + FlightFormat.Loop.nameLength, UInt16.self)),
                FlightFormat.Loop.maxName))
        loop.callsWithoutSlot = file.number(
            area.lowerBound + FlightFormat.Loop.withoutSlot, UInt64.self)
        let heartbeat = file.number(area.lowerBound + FlightFormat.Loop.heartbeat, UInt64.self)
        if heartbeat > 0 {
            let time = header.wall(heartbeat)
            loop.lastRanAt = time
            lastSignOfLife = max(lastSignOfLife, time)
        }
        let ring = area.lowerBound + header.layout.ring..<area.upperBound
        var last: UInt64 = 0
        var lastEnded: UInt64 = 0
        for record in file.records(in: ring, header.salt) {
            guard var call = file.call(record.offset, record.length, header) else { continue }
            call.loop = loop.name
            call.isRefused = record.flags & FlightFormat.Record.isRefused != 0
            call.code = RPCErrorCode(
                rawValue: file.number(record.offset + FlightFormat.Call.code, Int32.self))
            endedCalls.append(call)
            loop.recordedCalls += 1
            lastSignOfLife = max(lastSignOfLife, call.endedAt)
            // Only the last record can be of a call that still has its slot.
            if record.sequence >= last {
                last = record.sequence
                lastEnded = file.number(record.offset + FlightFormat.Call.number, UInt64.self)
            }
        }
        for slot in 0..<header.layout.slotCount {
            let offset = area.lowerBound + header.layout.slots + slot * FlightFormat.Call.slotBytes
            let number = file.number(offset + FlightFormat.Record.sequence, UInt64.self)
            guard number != 0, number != lastEnded,
                var call = file.call(offset, FlightFormat.Call.slotBytes, header)
            else { continue }
            call.loop = loop.name
            call.responseBytes = 0
            callsInFlight.append(call)
            loop.callsInFlight += 1
            lastSignOfLife = max(lastSignOfLife, call.beganAt)
        }
        let isUsed = heartbeat > 0 || loop.recordedCalls > 0 || loop.callsInFlight > 0
        if isUsed || !loop.name.isEmpty { loops.append(loop) }
    }
}

extension WallTime {
    /// The moment `duration` later, clamped.
    fileprivate func later(by duration: Duration) -> WallTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return WallTime(nanoseconds: overflow ? .max : sum)
    }

    /// The time until `later`, clamped.
    fileprivate func duration(to later: WallTime) -> Duration {
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return .nanoseconds(overflow ? .max : difference)
    }
}
