import RocketBase
import RocketProgram
import RocketSystem

/// The whole terminal: the view, renewed until a key ends it. One for a process.
struct TopScreen {
    /// What the screen waits for.
    enum Event: Hashable, Sendable {
        case tick, key(UInt8), end
    }

    let interval: Duration

    /// Shows readings until q or the end of the input; signals are those of `TopSignals`. The former
    /// screen is restored.
    ///
    /// - Throws: `ProgramFailure`: the terminal is gone; the first reading failed. A later one that
    ///   fails is shown in place of the table, and tried again.
    func run(_ source: consuming TopSource, _ first: TopTab) async throws(ProgramFailure) {
        var keys = TopKeys(tab: first)
        // Before the screen changes: an address that is wrong is an error on the former one.
        var lines = Self.lines(try source.view(first))
        let (events, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingNewest(64))
        do {
            let terminal = TopTerminal()
            try TopSignals.start(terminal)
            terminal.draw(lines)
            try terminal.enter()
            defer { terminal.leave(forGood: true) }
            try Self.readKeys(terminal) { continuation.yield($0) }
            let ticks = Task { [interval] in
                while !Task.isCancelled {
                    try await Task.sleep(for: interval)
                    continuation.yield(.tick)
                }
            }
            for await event in events {
                guard keys.take(event) else { break }
                do throws(ProgramFailure) {
                    lines = Self.lines(try source.view(keys.tab))
                } catch {
                    lines = ["\(error)", "", "Tried again each second; q ends."]
                }
                terminal.draw(lines)
            }
            ticks.cancel()
        } catch {
            throw ProgramFailure(error)
        }
    }

    /// The last line names the tables.
    private static func lines(_ view: TopView) -> [String] {
        let (columns, rows) = (RawTerminal.columns, RawTerminal.rows)
        var lines = view.lines(columns: columns, rows: max(4, rows - 2))
        let tabs = TopTab.allCases.map { tab in
            let text = "\(tab.index + 1) \(tab.name)"
            return tab == view.tab ? "[\(text)]" : " \(text) "
        }
        lines += ["", String((tabs.joined(separator: " ") + "   q quit").prefix(columns - 1))]
        return lines
    }

    /// Delivers each key on a thread of its own, which ends with the input or the process. Raw mode has no
    /// keys of signals: those are sent as the terminal would.
    private static func readKeys(
        _ terminal: TopTerminal, _ deliver: @escaping @Sendable (Event) -> Void
    ) throws(SystemError) {
        try SystemThread(name: "top-keys") {
            let never = FutexWord()
            while true {
                let departures = terminal.departures
                if let bytes = try? StandardInput.read(atMost: 64), !bytes.isEmpty {
                    bytes.forEach { take($0, deliver) }
                } else if terminal.departures == departures, Terminal.isForeground {
                    return deliver(.end)
                } else {
                    never.wait(while: 0, atMost: .milliseconds(100))
                }
            }
        }.detach()
    }

    private static func take(_ key: UInt8, _ deliver: (Event) -> Void) {
        if let signal = TopKeys.signal(of: key) {
            Signals.sendToProcessGroup(signal)
        } else {
            deliver(.key(key))
        }
    }
}

/// What keys do. A value.
struct TopKeys: Hashable {
    private(set) var tab: TopTab
    /// The bytes of an escape sequence that have come so far.
    private var escape: [UInt8] = []

    init(tab: TopTab) { self.tab = tab }

    /// The signal of Ctrl-C, Ctrl-Z and Ctrl-\; nil: it is another key.
    static func signal(of byte: UInt8) -> Signal? {
        switch byte {
        case 0x03: .interrupt
        case 0x1A: .terminalStop
        case 0x1C: .quit
        default: nil
        }
    }

    /// Returns false for the end.
    mutating func take(_ event: TopScreen.Event) -> Bool {
        guard case .key(let byte) = event else { return event != .end }
        if !escape.isEmpty {
            escape.append(byte)
            if escape.count == 2, byte == UInt8(ascii: "[") || byte == UInt8(ascii: "O") {
                return true
            }
            // CSI C and D, or SS3: the arrows.
            if byte == UInt8(ascii: "C") { move(1) }
            if byte == UInt8(ascii: "D") { move(-1) }
            escape = []
            return true
        }
        switch byte {
        case 0x1B: escape = [byte]
        // Ctrl-D.
        case UInt8(ascii: "q"), UInt8(ascii: "Q"), 0x04: return false
        case UInt8(ascii: "\t"): move(1)
        case UInt8(ascii: "1")...UInt8(ascii: "9"):
            let index = Int(byte - UInt8(ascii: "1"))
            if index < TopTab.allCases.count { tab = TopTab.allCases[index] }
        default: break
        }
        return true
    }

    private mutating func move(_ step: Int) {
        let tabs = TopTab.allCases
        tab = tabs[(tab.index + step + tabs.count) % tabs.count]
    }
}
