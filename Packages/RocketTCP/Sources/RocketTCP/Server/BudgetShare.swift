import RocketBase
import RocketSystem

/// How the budget of bytes and the memory that a process may use depend on each other.
///
/// Held bytes reach the ceiling, 9/8 of the budget. Beside them the process has its code, stacks and
/// caches, less than 32 MiB, and what malloc keeps of freed bytes and the kernel holds for sockets:
/// the automatic budget leaves as much for it as for the held bytes.
enum BudgetShare {
    /// Memory of the process that is in no budget, without load. 29 MiB were measured.
    static let fixedBytes = 32 << 20
    /// The automatic budget where the memory of the process is unknown.
    static let unknownMemoryBytes = 256 << 20
    /// What is assumed at most where only the size of the machine is known: a unit with
    /// ProcSubset=pid can't read how much is available, and its limit may be hidden from it.
    static let assumedBytes = 1 << 30

    /// Returns the automatic budget of a process with this memory.
    static func automaticBytes(of memory: MemoryLimit?) -> Int {
        guard let memory else { return unknownMemoryBytes }
        return switch memory.source {
        case .file: automaticBytes(of: memory.bytes)
        case .physicalMemory: automaticBytes(of: min(memory.bytes, assumedBytes))
        }
    }

    /// Returns the budget of a process that may use so much memory: two ceilings and the fixed
    /// memory fit into it. An eighth of it at least, where the fixed memory is most of it.
    static func automaticBytes(of memory: Int) -> Int {
        max((memory - fixedBytes) / 9 * 4, memory / 8)
    }

    /// Returns the largest budget whose ceiling fits into the memory, beside the fixed memory. With
    /// a larger one the process can reach its limit, and end.
    static func largestBytes(in memory: Int) -> Int { max(0, memory - fixedBytes) / 9 * 8 }
}

extension ByteBudget {
    /// Adds the budget and its origin to the line of a server's start.
    func describe(to fields: inout LogFields) {
        fields.add("memory_budget_bytes", limitBytes)
        if !isAutomatic {
            fields.add("memory_budget_from", "memory_budget_bytes")
        } else if let memory {
            fields.add("memory_budget_from", memory.source)
            fields.add("memory_limit_bytes", memory.bytes)
        } else {
            fields.add("memory_budget_from", "default")
        }
    }

    /// Logs a warning if the budget does not fit into the memory that the process may use. May read
    /// some files.
    func logMisfit(_ logger: RocketLogger) {
        guard !isAutomatic, let memory = memory ?? SystemMemory().limit else { return }
        let fits = BudgetShare.largestBytes(in: memory.bytes)
        if limitBytes <= fits { return }
        logger.warn("the memory budget is too large for the memory that the process may use") {
            $0.add("memory_budget_bytes", limitBytes)
            $0.add("fits", fits)
            $0.add("memory_limit_bytes", memory.bytes)
            $0.add("memory_limit_from", memory.source)
        }
    }
}
