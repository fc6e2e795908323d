//! Frames on a stream, marks, and what two sides say before a session.

use super::Samples;

impl Samples {
    pub(super) fn streams(&mut self) {
        let long = [[0x80, 0x02].as_slice(), &[7; 256]].concat();
        self.add("frame_stream", true, "two frames", [[3, 1, 2, 3].as_slice(), &long].concat());
        self.add("frame_stream", true, "none", []);
        self.add("frame_stream", false, "an empty frame", [0]);
        self.add("frame_stream", false, "not the shortest form", [0x81, 0, 7]);
        self.add("frame_stream", false, "too large", [0xff, 0xff, 0x7f]);
        self.add("frame_stream", false, "cut", [5, 1]);
        let close = [3, 0, 0, 0, 0, 0, 0, 0, 7];
        self.add("mark_stream", true, "every mark", [&[0, 1, 9, 4, 5, 0], long.as_slice(), &[1, 2], &close].concat());
        self.add("mark_stream", true, "none", []);
        self.add("mark_stream", false, "an unknown mark", [6]);
        self.add("mark_stream", false, "a frame behind the end", [1, 0, 1, 9]);
        self.add("mark_stream", false, "something behind the last word", [close.as_slice(), &[4]].concat());
        self.add("mark_stream", false, "a frame that is too large", [0, 0xff, 0xff, 0x7f]);
        self.add("mark_stream", false, "cut", [0, 5, 1]);
        self.add("mark_stream", false, "cut inside the last word", &close[..5]);
        let tags = |pages: u8| [&[2, pages], [8; 512].repeat(pages.into()).as_slice()].concat();
        self.add("discovery_pages", true, "one page", tags(1));
        self.add("discovery_pages", true, "four pages", tags(4));
        self.add("discovery_pages", false, "two pages", tags(2));
        self.add("discovery_pages", false, "pages cut", tags(4)[..600].to_vec());
        self.add("discovery_pages", false, "not in order", [tags(1)[..500].to_vec(), vec![7; 14]].concat());
        let proof = |version: u8, role: u8| [&[version, role], [8; 96].as_slice()].concat();
        self.add("device_proof", true, "the dialler's", proof(1, 1));
        self.add("device_proof", true, "the listener's", proof(1, 2));
        self.add("device_proof", false, "a newer version", proof(2, 1));
        self.add("device_proof", false, "no such role", proof(1, 3));
        let request = r#"{"version":2,"proof":{"passphrase":"p"},"arguments":["alliance","status"],"folder":"/","text":null,"look":{"color":false,"columns":80,"json":true}}"#;
        self.add("holder_request", true, "a request", format!("{request}\n"));
        self.add("holder_request", false, "without an end", request);
        self.add("holder_line", true, "text", "{\"out\":\"saved\\n\"}\n");
        self.add("holder_line", true, "the end", "{\"end\":0}\n");
        self.add("holder_line", false, "no such line", "{\"other\":1}\n");
        self.add("holder_line", false, "nested", format!("{}\n", "[".repeat(300)));
    }
}
