extension ServiceGenerator {
    /// What `protoc-gen-rocket --help` says.
    static let help = """
        OVERVIEW: Writes Rocket's service protocols and clients for .proto files.

        USAGE: protoc --rocket_out=FOLDER [--rocket_opt=KEY=VALUE,…] FILE.proto

        protoc runs it, with protoc-gen-rocket in PATH or given as --plugin=PATH. For each FILE.proto
        with services it writes FILE.rocket.swift, which belongs beside protoc-gen-swift's
        FILE.pb.swift.

        Options, all with --rocket_opt (give both plugins the same Visibility, FileNaming and
        ProtoPathModuleMappings):
          Visibility=Public|Package|Internal       who may use the generated code (Internal)
          Server=true|false                        write service protocols (true)
          Client=true|false                        write client structs (true)
          Descriptors=true|false                   put the .proto files' descriptors into service
                                                   protocols, for rocket.Reflection (true)
          ProtoPathModuleMappings=FILE             which .proto files are in other modules,
                                                   in swift-protobuf's format
          FileNaming=FullPath|PathToUnderscores|DropPath
                                                   where the files go (FullPath)
          UseAccessLevelOnImports=true|false       write `public import` and the like (true)
        """

    /// Prints `help` on standard output.
    public func printHelp() { print(Self.help) }
}
