{
  "variables": {
    "rdkafka": "<!(node -p \"path.dirname(require.resolve('node-rdkafka/package.json'))\")",
    "nan": "<!(node -p \"path.dirname(require.resolve('nan/package.json', { paths: [require.resolve('node-rdkafka/package.json')] }))\")",
    "rdkafka_version": "<!(node -p \"require('node-rdkafka/package.json').version\")"
  },
  "targets": [
    {
      "target_name": "packed_reader",
      "sources": ["packed-reader.cc"],
      "include_dirs": [
        "<(nan)",
        "<(rdkafka)",
        "<(rdkafka)/deps/librdkafka/src",
        "<(rdkafka)/deps/librdkafka/src-cpp"
      ],
      "defines": ["NODE_RDKAFKA_VERSION=\"<(rdkafka_version)\""],
      "cflags_cc": ["-std=c++20", "-O2"],
      "libraries": [
        "<(rdkafka)/build/deps/librdkafka.so",
        "-Wl,-rpath='$$ORIGIN/../../../node_modules/node-rdkafka/build/deps'"
      ]
    }
  ]
}
