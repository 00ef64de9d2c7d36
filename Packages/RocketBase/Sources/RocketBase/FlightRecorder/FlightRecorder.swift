import CRocketLog
public import RocketSystem

/// Records the last calls and log lines of a process in a file that is its memory, so that they can be
/// read however the process has ended: `rocket crash FILE`, or `FlightRecording`. Not after a loss of
/// power, if the disk has not got them.
///
/// A program makes one, and gives it to its log (`LogConfiguration.flightRecorder`) and its server
/// (`RPCServerConfiguration.flightRecorder`). The file has its full size at once and never grows: the
/// oldest calls and lines are overwritten. What is in flight is never overwritten. A call takes no lock
/// and no system call. The format is in docs/guides/flight-recorder.md. Any thread.
@safe
public final class FlightRecorder: Sendable {
    /// The size of the file by default: 8 MiB.
    public static let defaultBytes = 8 << 20
    /// The sizes that a file may have: 1 MiB to 256 MiB. What is out of range is clamped.
    public static let allowedBytes = 1 << 20...256 << 20
    /// How many files of processes before are kept, if they have crashed: 3.
    public static let keptFiles = 3

    /// The file of a process before, which has not ended in an orderly way.
    public struct Earlier: Sendable {
        /// Where it is now.
        public let path: String
        /// The id that the process had.
        public let processID: Int32
        /// When the process had made the file.
        public let startedAt: WallTime
    }

    /// The path of the file.
    public let path: String
    /// What was at the path before, if that is the file of a process that has crashed.
    public let earlier: Earlier?
    let layout: FlightLayout
    let salt: UInt32
    private let memory: SharedFileMemory
    private let takenLoops = Locked(0)
    private let takenLogs = Locked(0)

    /// Creates the file and writes its header. Blocks on the disk, which has room for the whole file
    /// afterwards.
    ///
    /// If there is such a file at the path, it is removed if its process has ended in an orderly way.
    /// Otherwise the process has crashed: its file is renamed to PATH.1, the one before to PATH.2, up to
    /// `keptFiles`.
    ///
    /// - Parameters:
    ///   - byteCount: the size of the file. A quarter is for lines of the log.
    ///   - program: what the report says the program is called; at most 64 bytes of it.
    ///   - loops: the number of loops that serve calls, 1 to 1024; calls of further ones are not
    ///     recorded.
    ///   - logBuffers: `LogConfiguration.bufferCount`.
    /// - Throws: `SystemError` with the path (EAGAIN: a process that runs has it; EEXIST: the file there
    ///   is none of a recorder, or another user's; EINVAL: too small for so many loops; ENOSPC …).
    public init(
        path: String, byteCount: Int = defaultBytes, program: String, loops: Int,
        logBuffers: Int = LogConfiguration().bufferCount, time: any TimeSource = SystemTimeSource()
    ) throws(SystemError) {
        let byteCount =
            min(max(byteCount, Self.allowedBytes.lowerBound), Self.allowedBytes.upperBound)
            / FlightFormat.headerBytes * FlightFormat.headerBytes
        guard
            let layout = FlightLayout(fileBytes: byteCount, loops: loops, logs: logBuffers)
        else {
            let least = FlightLayout.leastBytes(loops: loops, logs: logBuffers)
            throw SystemError(
                "flight recorder of \(byteCount) bytes for \(loops) loops, which need \(least)",
                .invalid)
        }
        self.layout = layout
        self.path = path
        earlier = try Self.makeRoom(at: path)
        // It gets its name when it has its header, so that each file at the path is one of a recorder.
        let unnamed = "\(path).new-\(CurrentProcess.processID)"
        memory = try SharedFileMemory(creating: unnamed, byteCount: byteCount)
        let (wall, now) = (time.wall(), time.monotonic())
        // Not a secret: peers that know it could have lines recorded that look like records.
        var generator = SystemRandomNumberGenerator()
        salt = generator.next()
        writeHeader(program, wall, now)
        try Self.rename(unnamed, to: path)
        // SAFETY: cleared in deinit, before the memory goes.
        unsafe rocket_crash_set_marks(marks)
    }

    /// Creates the recorder that the element `root/server/flight_recorder` of a configuration
    /// describes; nil if there is none.
    ///
    /// - Throws: as the other initializer.
    public convenience init?(
        _ server: ServerConfig, program: String,
        logBuffers: Int = LogConfiguration().bufferCount, time: any TimeSource = SystemTimeSource()
    ) throws(SystemError) {
        guard let settings = server.flightRecorder else { return nil }
        try self.init(
            path: settings.path, byteCount: settings.sizeBytes, program: program,
            loops: server.ioThreads, logBuffers: logBuffers, time: time)
    }

    deinit {
        unsafe rocket_crash_clear_marks(marks)
        close()
    }

    /// Records that the process has ended in an orderly way: the next one with the same path removes the
    /// file. Calls and lines that follow are recorded all the same. `LogSystem.shutdown` calls it.
    public func close() {
        unsafe base.storeBytes(of: 1, toByteOffset: FlightFormat.Header.state, as: UInt32.self)
    }

    // SAFETY of both: the pointer is valid as long as this object lives, which those who get one from
    // it hold.
    private var base: UnsafeMutableRawPointer {
        guard let base = unsafe memory.bytes.baseAddress else {
            preconditionFailure("a mapping has an address")
        }
        return unsafe base
    }

    /// The number of the signal that ended the process, and the id of its thread.
    private var marks: UnsafeMutablePointer<UInt32> {
        unsafe (base + FlightFormat.Header.signal).assumingMemoryBound(to: UInt32.self)
    }

    private func writeHeader(_ program: String, _ wall: WallTime, _ now: MonotonicTime) {
        typealias Header = FlightFormat.Header
        let header = unsafe base
        func store<Number: FixedWidthInteger>(_ number: Number, _ offset: Int) {
            unsafe header.storeBytes(of: number, toByteOffset: offset, as: Number.self)
        }
        store(FlightFormat.magic, Header.magic)
        store(FlightFormat.version, Header.version)
        store(UInt32(FlightFormat.headerBytes), Header.headerBytes)
        store(UInt64(layout.fileBytes), Header.fileBytes)
        store(CurrentProcess.processID, Header.processID)
        store(salt, Header.salt)
        store(wall.nanoseconds, Header.startedWall)
        store(now.nanoseconds, Header.startedMonotonic)
        store(UInt32(layout.loopCount), Header.loopCount)
        store(UInt32(layout.slotCount), Header.slotCount)
        store(UInt64(layout.loopBytes), Header.loopBytes)
        store(UInt32(layout.logCount), Header.logCount)
        store(UInt64(layout.logBytes), Header.logBytes)
        let length = unsafe withBytes(of: program) {
            unsafe header.copyText($0, to: Header.name, atMost: Header.maxName)
        }
        store(UInt16(length), Header.nameLength)
        // SAFETY: these are bytes of the header.
        let bytes = unsafe RawSpan(
            _unsafeStart: UnsafeRawPointer(header), byteCount: Header.check)
        store(CRC32C.checksum(bytes), Header.check)
    }

    // MARK: Parts

    /// Returns the recorder of a loop's calls; nil if all areas are taken. Any thread; what it returns
    /// is bound to one.
    @_spi(Recording)
    public func calls(ofLoop name: String) -> FlightCalls? {
        let index = takenLoops.withLock { taken in
            defer { taken += 1 }
            return taken
        }
        if index >= layout.loopCount { return nil }
        return unsafe FlightCalls(self, area: base + layout.loop(index).lowerBound, name: name)
    }

    /// Returns the recorder of a buffer of the log; nil if all areas are taken. Any thread.
    func lines() -> FlightLines? {
        let index = takenLogs.withLock { taken in
            defer { taken += 1 }
            return taken
        }
        if index >= layout.logCount { return nil }
        let ring = unsafe FlightRing(
            base + layout.log(index).lowerBound, byteCount: layout.logBytes, salt: salt)
        return FlightLines(self, ring)
    }

    // MARK: Files of processes before

    private static func rename(_ unnamed: String, to path: String) throws(SystemError) {
        defer { try? FileSystem.remove(unnamed) }
        guard try FileSystem.link(unnamed, as: path) else {
            throw SystemError("flight recorder \(path), which is there already", .exists)
        }
    }

    /// Removes or renames the file at the path, if it is one of a recorder and of this user.
    private static func makeRoom(at path: String) throws(SystemError) -> Earlier? {
        guard let status = try FileSystem.status(of: path) else { return nil }
        let foreign = SystemError("\(path), which is no file of a flight recorder", .exists)
        // Neither a folder nor a device.
        guard FileSystem.size(of: path) != nil else { throw foreign }
        if status.uid != UserAccount.effectiveUID {
            throw SystemError(
                "\(path), which belongs to \(UserAccount.description(of: status.uid))", .exists)
        }
        // A process that is just being started by another one has the lock.
        if try SharedFileMemory.isInUse(path) {
            throw SystemError("flight recorder \(path), which another process has", .again)
        }
        let header = try FileContents.read(path, limit: FlightFormat.headerBytes)
        var recording: FlightRecording?
        do throws(FlightRecordingError) { recording = try FlightRecording(header) } catch {
            if error == .foreign { throw foreign }
        }
        if recording?.isClosed == true {
            try FileSystem.remove(path)
            return nil
        }
        for index in (1..<keptFiles).reversed() where FileSystem.exists("\(path).\(index)") {
            try FileSystem.rename("\(path).\(index)", to: "\(path).\(index + 1)")
        }
        try FileSystem.rename(path, to: "\(path).1")
        return recording.map {
            Earlier(path: "\(path).1", processID: $0.processID, startedAt: $0.startedAt)
        }
    }
}
